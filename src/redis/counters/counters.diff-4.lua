#!lua flags=allow-oom
--[[
  Compares a tally with what Postgres has and what is still to be flushed.
  May give up a tally that differs: its next use loads it again.
  KEYS[1]  hash  the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash  counts that Postgres does not have
  KEYS[3]  hash  the batch that is on its way to Postgres: id, prev, and the counts
  KEYS[4]  hash  the tally: generation, views, shares
  ARGV[1]  id of the last batch in what was read, "" for none   ARGV[2]  <product>:<period>
  ARGV[3]  views   ARGV[4]  shares
  ARGV[5]  1 to give up what differs
  Returns  {"not-loaded"} | {"outdated"} when a batch was applied meanwhile |
           {"here", views too many, shares too many}
]]
local shard, pending, batch, tally = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local applied, name, repair = ARGV[1], ARGV[2], ARGV[5] == "1"

-- include: client/memory-fence
local state = redis.call("HMGET", shard, "server", "generation", "cut")
local held = redis.call("HMGET", tally, "generation", "views", "shares")
if state[1] ~= server or held[1] ~= state[2] then
  return { "not-loaded" }
end
local waiting = redis.call("HMGET", batch, "id", "prev")
if waiting[1] ~= applied and (waiting[1] and waiting[2] or state[3]) ~= applied then
  return { "outdated" }
end
local diff = {}
for index, what in ipairs({ "views", "shares" }) do
  local field = name .. ":" .. what
  local owed = tonumber(redis.call("HGET", pending, field) or 0)
  if waiting[1] and waiting[1] ~= applied then
    owed = owed + tonumber(redis.call("HGET", batch, field) or 0)
  end
  local stored = index == 1 and ARGV[3] or ARGV[4]
  diff[index] = tonumber(held[index + 1]) - tonumber(stored) - owed
end
if repair and (diff[1] ~= 0 or diff[2] ~= 0) then
  redis.call("HDEL", tally, "generation")
end
return { "here", string.format("%.0f", diff[1]), string.format("%.0f", diff[2]) }
