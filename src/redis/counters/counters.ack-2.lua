#!lua flags=allow-oom
--[[
  Drops a batch that Postgres has applied. Can be repeated. A
  stray one cannot be applied: Postgres has another one before it.
  Then the shard has to be claimed again.
  KEYS[1]  hash  the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash  the batch that is on its way to Postgres: id, prev, and the counts
  ARGV[1]  id of the batch   ARGV[2]  "applied" or "stray"
  Returns  1 when it was this batch, else 0
]]
local shard, batch = KEYS[1], KEYS[2]
local id, fate = ARGV[1], ARGV[2]

if redis.call("HGET", batch, "id") ~= id then
  return 0
end
if fate == "applied" then
  redis.call("UNLINK", batch)
else
  redis.call("HDEL", shard, "server")
end
return 1
