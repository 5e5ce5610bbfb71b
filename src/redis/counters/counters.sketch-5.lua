#!lua flags=allow-oom
--[[
  Reads the viewers of a tally for a batch on its way to Postgres. Only
  while both were counted on this server: leftovers of a loss must not
  replace what is stored.
  KEYS[1]  hash    the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash    the batch that is on its way to Postgres: id, prev, and the counts
  KEYS[3]  hash    the tally: generation, over
  KEYS[4]  string  HyperLogLog of its viewers
  KEYS[5]  zset    for all time, while they are few: the product's viewers -> number of the day of
                   their last view
  ARGV[1]  id of the batch   ARGV[2]  1 for all time
  Returns  {} | {HyperLogLog, estimate, "0" when viewers follow, else "1", viewer, day, …};
           they follow for all time alone, and while they are few
]]
local shard, batch, tally, viewers, exact = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, whole = ARGV[1], ARGV[2] == "1"

-- include: client/memory-fence
local state = redis.call("HMGET", shard, "server", "generation")
local counted = redis.call("HMGET", tally, "generation", "over")
if state[1] ~= server or counted[1] ~= state[2] or redis.call("HGET", batch, "id") ~= id then
  return {}
end
local over = not whole or counted[2]
local answer = over and {} or redis.call("ZRANGE", exact, 0, -1, "WITHSCORES")
table.insert(answer, 1, over and "1" or "0")
table.insert(answer, 1, string.format("%.0f", redis.call("PFCOUNT", viewers)))
table.insert(answer, 1, redis.call("GET", viewers) or "")
return answer
