#!lua flags=allow-oom
--[[
  Lets this server count for a shard, up from the batch that Postgres
  applied last. What it holds counts only where it continues what Postgres
  has. Anything else was applied already or lies beyond a loss, and is
  dropped. Tallies of an older generation are loaded again before they are
  served.
  KEYS[1]  hash  the shard: server it was claimed on, generation, id of the last cut batch; also
                 when nothing older was owed
  KEYS[2]  hash  counts that Postgres does not have
  KEYS[3]  hash  the batch that is on its way to Postgres: id, prev, and the counts
  ARGV[1]  id of the last batch that Postgres applied, "" for none   ARGV[2]  new generation
  Returns  "known" when it was claimed already | "continued" | "lost" when counts may be missing
           since
]]
local shard, pending, batch = KEYS[1], KEYS[2], KEYS[3]
local applied, generation = ARGV[1], ARGV[2]

-- include: client/memory-fence
local state = redis.call("HMGET", shard, "server", "cut")
if state[1] == server then
  return "known"
end
local cut = state[2] or ""
local waiting = redis.call("HMGET", batch, "id", "prev")
local continues = cut == applied
if waiting[1] then
  continues = waiting[1] == cut and (waiting[1] == applied or waiting[2] == applied)
  if not continues or waiting[1] == applied then
    redis.call("UNLINK", batch)
  end
end
if not continues then
  redis.call("UNLINK", pending)
  cut = applied
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call("HSETNX", shard, "flushed", string.format("%.0f", nowMs))
redis.call("HSET", shard, "server", server, "generation", generation, "cut", cut)
return continues and "continued" or "lost"
