#!lua
--[[
  Counts one share of a product, once per operation id. What is refused or repeated counts nothing.
  KEYS[1]  hash    the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash    the shard's counts that Postgres does not have:
                   <product>:<period>:<what> -> number
  KEYS[3]  hash    the tally of all time: generation, views, shares, over
  KEYS[4]  hash    the tally of the month
  KEYS[5]  hash    the tally of the day
  KEYS[6]  hash    operation ids of the product: slot -> the latest ids
  ARGV[1]  product   ARGV[2]  month   ARGV[3]  day
  ARGV[4]  day begins (ms)   ARGV[5]  day ends (ms)
  ARGV[6]  slot of the operation   ARGV[7]  operation id, 8 characters
  ARGV[8]  how long it is kept (ms), 0 for none
  ARGV[9]  highest count
  Returns  {"not-claimed"} | {"not-loaded"} | {"outside-window", now (ms)} | {"full"} |
           {"repeated", now (ms)} |
           {"counted", now (ms)}
]]
local shard, pending, operations = KEYS[1], KEYS[2], KEYS[6]
local tallies = { KEYS[3], KEYS[4], KEYS[5] }
local product, startMs, endMs = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local slot, operation, keepMs, highest = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])

-- include: counters.opened
-- include: counters.operations
if isRepeated() then
  return { "repeated", nowText }
end
if tonumber(redis.call("HGET", tallies[1], "shares")) >= highest then
  return { "full" }
end
remember()
local periods = { "all", ARGV[2], ARGV[3] }
for index = 1, 3 do
  redis.call("HINCRBY", tallies[index], "shares", 1)
  redis.call("HINCRBY", pending, product .. ":" .. periods[index] .. ":shares", 1)
end
return { "counted", nowText }
