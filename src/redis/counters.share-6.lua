#!lua
--[[
  Counts one share of a product, once per operation id. What is refused or repeated counts nothing.
  KEYS[1]  hash    the shard: server it was adopted on, generation, id of the last sealed batch
  KEYS[2]  hash    the shard's counts that Postgres does not have: <product>:<period>:<what> -> number
  KEYS[3]  hash    the tally of all time: generation, views, shares, over
  KEYS[4]  hash    the tally of the month
  KEYS[5]  hash    the tally of the day
  KEYS[6]  string  the operation id, or what stands in for none
  ARGV[1]  product   ARGV[2]  month   ARGV[3]  day   ARGV[4]  day begins (ms)   ARGV[5]  day ends (ms)
  ARGV[6]  how long an operation id is kept (ms), 0 for none   ARGV[7]  highest count
  Returns  {"unloaded"} | {"missing"} | {"moved", now (ms)} | {"full"} | {"repeated", now (ms)} | {"counted", now (ms)}
]]
local shard, pending, operation = KEYS[1], KEYS[2], KEYS[6]
local tallies = { KEYS[3], KEYS[4], KEYS[5] }
local product, startMs, endMs, keepMs, highest = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

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
if tonumber(redis.call("HGET", tallies[1], "shares")) >= highest then
  return { "full" }
end
if keepMs > 0 then
  redis.call("SET", operation, "", "PX", keepMs)
end
local periods = { "all", ARGV[2], ARGV[3] }
for index = 1, 3 do
  redis.call("HINCRBY", tallies[index], "shares", 1)
  redis.call("HINCRBY", pending, product .. ":" .. periods[index] .. ":shares", 1)
end
return { "counted", nowText }
