#!lua
--[[
  Counts an attempt to sign in, unless it has to wait: in all of its
  buckets, or in none. It counts as failed until it is forgiven, so
  concurrent attempts cannot overtake the count. A bucket holds failed
  attempts of the last window. The first `free` of them cost nothing. Then
  the next attempt waits, from the newest failure on: first <first wait>,
  twice as long after each further one, at most <longest wait>.
  KEYS[1]  zset    this account from this place: attempt -> when (ms since epoch)
  KEYS[2]  zset    this account from all places that it does not know
  KEYS[3]  zset    this address, any account
  KEYS[4]  zset    its network, any account
  KEYS[5]  string  exists where the account has signed in from the place: then the account's own
                   bucket neither refuses nor counts
  ARGV[1]  id of the attempt; a call that is repeated counts once   ARGV[2]  window (ms)
  ARGV[3]  "1" when the account is signed in here
  ARGV[4…15]  free, first wait (ms) and longest wait (ms) of each bucket
  Returns  {0, 0} when it may go on | {the bucket that holds longest, how long (ms)}
]]
local buckets, known = { KEYS[1], KEYS[2], KEYS[3], KEYS[4] }, KEYS[5]
local id, windowMs, signedIn = ARGV[1], tonumber(ARGV[2]), ARGV[3] == "1"

local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local spared = (signedIn or redis.call("EXISTS", known) == 1) and 2 or 0
local holds, waitMs = 0, 0
for at, bucket in ipairs(buckets) do
  local free = tonumber(ARGV[at * 3 + 1])
  local firstMs, mostMs = tonumber(ARGV[at * 3 + 2]), tonumber(ARGV[at * 3 + 3])
  local failures = redis.call("ZCARD", bucket)
  if at ~= spared and failures >= free and not redis.call("ZSCORE", bucket, id) then
    local newest = tonumber(redis.call("ZRANGE", bucket, -1, -1, "WITHSCORES")[2]) or 0
    local leftMs = newest + math.min(firstMs * 2 ^ (failures - free), mostMs) - nowMs
    if leftMs > waitMs then
      holds, waitMs = at, leftMs
    end
  end
end
if holds > 0 then
  return { holds, waitMs }
end
for at, bucket in ipairs(buckets) do
  if at ~= spared then
    redis.call("ZREMRANGEBYSCORE", bucket, "-inf", string.format("%.0f", nowMs - windowMs))
    redis.call("ZADD", bucket, "NX", string.format("%.0f", nowMs), id)
    redis.call("PEXPIRE", bucket, windowMs)
  end
end
return { 0, 0 }
