#!lua flags=allow-oom
--[[
  Cuts a shard's counts into the next batch for Postgres, or
  answers the waiting one. A batch stays until it is acknowledged;
  counting goes on meanwhile. Can be repeated. Runs on a full
  server too.
  KEYS[1]  hash  the shard: server it was claimed on, generation, id of the last cut batch; also
                 when nothing older was owed
  KEYS[2]  hash  counts that Postgres does not have
  KEYS[3]  hash  the batch that is on its way to Postgres: id, prev, and the counts
  ARGV[1]  id for a new batch
  Returns  {"not-claimed"} | {} when nothing was counted | {"batch", id, id of the one before,
           field, value, …}
]]
local shard, pending, batch = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]

-- include: client/memory-fence
local state = redis.call("HMGET", shard, "server", "cut")
if state[1] ~= server then
  return { "not-claimed" }
end
if redis.call("EXISTS", batch) == 0 then
  local now = redis.call("TIME")
  local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
  redis.call("HSET", shard, "flushed", string.format("%.0f", nowMs))
  if redis.call("EXISTS", pending) == 0 then
    return {}
  end
  redis.call("RENAME", pending, batch)
  redis.call("HSET", batch, "id", id, "prev", state[2])
  redis.call("HSET", shard, "cut", id)
end
local cut = redis.call("HMGET", batch, "id", "prev")
local answer = { "batch", cut[1], cut[2] }
local fields = redis.call("HGETALL", batch)
for at = 1, #fields, 2 do
  if fields[at] ~= "id" and fields[at] ~= "prev" then
    answer[#answer + 1] = fields[at]
    answer[#answer + 1] = fields[at + 1]
  end
end
return answer
