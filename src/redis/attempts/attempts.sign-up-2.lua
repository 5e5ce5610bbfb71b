#!lua
--[[
  Counts an attempt to sign up, in both of its buckets or in neither. Each
  takes so many within any window.
  KEYS[1]  zset  this address: attempt -> when (ms since epoch)
  KEYS[2]  zset  its network
  ARGV[1]  id of the attempt; a call that is repeated counts once   ARGV[2]  window (ms)
  ARGV[3]  most of the address   ARGV[4]  most of the network
  Returns  {0, 0} when it may go on | {the bucket that holds longest, how long (ms)}
]]
local buckets, most = { KEYS[1], KEYS[2] }, { tonumber(ARGV[3]), tonumber(ARGV[4]) }
local id, windowMs = ARGV[1], tonumber(ARGV[2])

local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local holds, waitMs = 0, 0
for at, bucket in ipairs(buckets) do
  redis.call("ZREMRANGEBYSCORE", bucket, "-inf", string.format("%.0f", nowMs - windowMs))
  if redis.call("ZCARD", bucket) >= most[at] and not redis.call("ZSCORE", bucket, id) then
    -- There is room again once the window holds one attempt
    -- less than allowed.
    local leaving = redis.call("ZRANGE", bucket, -most[at], -most[at], "WITHSCORES")[2]
    local leftMs = leaving + windowMs - nowMs
    if leftMs > waitMs then
      holds, waitMs = at, leftMs
    end
  end
end
if holds > 0 then
  return { holds, waitMs }
end
for _, bucket in ipairs(buckets) do
  redis.call("ZADD", bucket, "NX", string.format("%.0f", nowMs), id)
  redis.call("PEXPIRE", bucket, windowMs)
end
return { 0, 0 }
