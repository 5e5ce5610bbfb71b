#!lua
--[[
  Counts one view of a product: once per viewer and window, once per operation id. What is refused or repeated counts nothing.
  KEYS[1]  hash    the shard: server it was adopted on, generation, id of the last sealed batch
  KEYS[2]  hash    the shard's counts that Postgres does not have: <product>:<period>:<what> -> number
  KEYS[3]  hash    the tally of all time: generation, views, shares, over
  KEYS[4]  hash    the tally of the month
  KEYS[5]  hash    the tally of the day
  KEYS[6]  string  HyperLogLog of the viewers of all time
  KEYS[7]  string  HyperLogLog of the viewers of the month
  KEYS[8]  string  HyperLogLog of the viewers of the day
  KEYS[9]  zset    the product's viewers, while they are few -> number of the day of their last view
  KEYS[10]  zset    viewers within the window -> when their view was counted (ms)
  KEYS[11]  string  the operation id, or what stands in for none
  ARGV[1]  product   ARGV[2]  month   ARGV[3]  day   ARGV[4]  day begins (ms)   ARGV[5]  day ends (ms)   ARGV[6]  number of the day
  ARGV[7]  viewer   ARGV[8]  window (ms)   ARGV[9]  how long an operation id is kept (ms), 0 for none
  ARGV[10]  most viewers that are known one by one   ARGV[11]  highest count
  Returns  {"unloaded"} | {"missing"} | {"moved", now (ms)} | {"full"} | {"repeated", now (ms)} | {"counted", now (ms)}
]]
local shard, pending, exact, recent, operation = KEYS[1], KEYS[2], KEYS[9], KEYS[10], KEYS[11]
local tallies, sketches = { KEYS[3], KEYS[4], KEYS[5] }, { KEYS[6], KEYS[7], KEYS[8] }
local product, dayNumber, viewer = ARGV[1], ARGV[6], ARGV[7]
local startMs, endMs, windowMs, keepMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[8]), tonumber(ARGV[9])
local most, highest = tonumber(ARGV[10]), tonumber(ARGV[11])

local server = string.match(redis.call("INFO", "replication"), "master_replid:(%x+)")
local adopted = redis.call("HMGET", shard, "server", "generation")
if adopted[1] ~= server then
  return { "unloaded" }
end
for index = 1, 3 do
  if redis.call("HGET", tallies[index], "generation") ~= adopted[2] then
    return { "missing" }
  end
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local nowText = string.format("%.0f", nowMs)
if nowMs < startMs or nowMs >= endMs then
  return { "moved", nowText }
end
if keepMs > 0 and redis.call("EXISTS", operation) == 1 then
  return { "repeated", nowText }
end
redis.call("ZREMRANGEBYSCORE", recent, "-inf", string.format("%.0f", nowMs - windowMs))
local again = redis.call("ZSCORE", recent, viewer)
if not again and tonumber(redis.call("HGET", tallies[1], "views")) >= highest then
  return { "full" }
end
if keepMs > 0 then
  redis.call("SET", operation, "", "PX", keepMs)
end
if again then
  return { "repeated", nowText }
end
redis.call("ZADD", recent, nowText, viewer)
redis.call("PEXPIRE", recent, windowMs)
local periods = { "all", ARGV[2], ARGV[3] }
for index = 1, 3 do
  local field = product .. ":" .. periods[index]
  redis.call("HINCRBY", tallies[index], "views", 1)
  redis.call("HINCRBY", pending, field .. ":views", 1)
  if redis.call("PFADD", sketches[index], viewer) == 1 then
    redis.call("HSET", pending, field .. ":viewers", 1)
  end
end
if not redis.call("HGET", tallies[1], "over") and redis.call("ZADD", exact, "CH", dayNumber, viewer) == 1 then
  redis.call("HSET", pending, product .. ":all:viewers", 1)
  if redis.call("ZCARD", exact) > most then
    redis.call("UNLINK", exact)
    redis.call("HSET", tallies[1], "over", 1)
  end
end
return { "counted", nowText }
