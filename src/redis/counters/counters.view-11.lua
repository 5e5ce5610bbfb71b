#!lua
--[[
  Counts one view of a product: once per viewer and window, once per operation id. What is refused
  or repeated counts nothing.
  KEYS[1]  hash    the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash    the shard's counts that Postgres does not have:
                   <product>:<period>:<what> -> number
  KEYS[3]  hash    the tally of all time: generation, views, shares, over
  KEYS[4]  hash    the tally of the month
  KEYS[5]  hash    the tally of the day
  KEYS[6]  string  HyperLogLog of the viewers of all time
  KEYS[7]  string  HyperLogLog of the viewers of the month
  KEYS[8]  string  HyperLogLog of the viewers of the day
  KEYS[9]  zset    while they are few: the product's viewers -> number of the day of their last view
  KEYS[10]  zset    viewers within the window -> when their view was counted (ms)
  KEYS[11]  hash    operation ids of the product: slot -> the latest ids
  ARGV[1]  product   ARGV[2]  month   ARGV[3]  day
  ARGV[4]  day begins (ms)   ARGV[5]  day ends (ms)   ARGV[6]  number of the day
  ARGV[7]  viewer   ARGV[8]  window (ms)   ARGV[9]  most viewers that the window remembers
  ARGV[10]  slot of the operation   ARGV[11]  operation id, 8 characters
  ARGV[12]  how long it is kept (ms), 0 for none
  ARGV[13]  most viewers that are known one by one   ARGV[14]  highest count
  Returns  {"not-claimed"} | {"not-loaded"} | {"outside-window", now (ms)} | {"full"} |
           {"repeated", now (ms)} |
           {"counted", now (ms)}
]]
local shard, pending, exact, recent, operations = KEYS[1], KEYS[2], KEYS[9], KEYS[10], KEYS[11]
local tallies, sketches = { KEYS[3], KEYS[4], KEYS[5] }, { KEYS[6], KEYS[7], KEYS[8] }
local product, dayNumber, viewer = ARGV[1], ARGV[6], ARGV[7]
local startMs, endMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local windowMs, maxRecent = tonumber(ARGV[8]), tonumber(ARGV[9])
local slot, operation, keepMs = ARGV[10], ARGV[11], tonumber(ARGV[12])
local maxExact, highest = tonumber(ARGV[13]), tonumber(ARGV[14])

-- include: counters.opened
-- include: counters.operations
if isRepeated() then
  return { "repeated", nowText }
end
redis.call("ZREMRANGEBYSCORE", recent, "-inf", string.format("%.0f", nowMs - windowMs))
local again = redis.call("ZSCORE", recent, viewer)
if not again and tonumber(redis.call("HGET", tallies[1], "views")) >= highest then
  return { "full" }
end
remember()
if again then
  return { "repeated", nowText }
end
redis.call("ZADD", recent, nowText, viewer)
redis.call("ZREMRANGEBYRANK", recent, 0, -1 - maxRecent)
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
if
  not redis.call("HGET", tallies[1], "over")
  and redis.call("ZADD", exact, "CH", dayNumber, viewer) == 1
then
  redis.call("HSET", pending, product .. ":all:viewers", 1)
  if redis.call("ZCARD", exact) > maxExact then
    redis.call("UNLINK", exact)
    redis.call("HSET", tallies[1], "over", 1)
  end
end
return { "counted", nowText }
