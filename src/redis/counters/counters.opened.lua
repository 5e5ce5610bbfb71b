--[[
  Part of the scripts that count: refuses what the shard or the clock does not allow.
  Reads shard, tallies, startMs and endMs; defines nowMs, nowText and claimed.
]]
-- include: client/memory-fence
local claimed = redis.call("HMGET", shard, "server", "generation")
if claimed[1] ~= server then
  return { "not-claimed" }
end
for index = 1, 3 do
  if redis.call("HGET", tallies[index], "generation") ~= claimed[2] then
    return { "not-loaded" }
  end
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local nowText = string.format("%.0f", nowMs)
if nowMs < startMs or nowMs >= endMs then
  return { "outside-window", nowText }
end
