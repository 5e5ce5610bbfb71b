#!lua flags=allow-oom
--[[
  Takes one period of one build out of Redis: it is archived, or no longer
  served. Can be repeated.
  KEYS[1]  hash  the board: generation, applied, version, built, server, closed:<period>
  KEYS[2]  set   names of the builds' periods that have keys
  KEYS[3]  zset  reached and owner -> sort key
  KEYS[4]  hash  owner -> "sequence|reached|ms|metadata"
  KEYS[5]  zset  distinct sort keys
  ARGV[1]  its name
  ARGV[2]  field of the board that says up to when such periods are archived; "" for an old build
  ARGV[3]  when it ended (ms)
  Returns  1
]]
local board, names, ranks, owners, scores = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local name, closedField, endMs = ARGV[1], ARGV[2], tonumber(ARGV[3])

if closedField ~= "" and redis.call("EXISTS", board) == 1 then
  local known = tonumber(redis.call("HGET", board, closedField) or "0")
  redis.call("HSET", board, closedField, string.format("%.0f", math.max(known, endMs)))
end
redis.call("UNLINK", ranks, owners, scores)
redis.call("SREM", names, name)
return 1
