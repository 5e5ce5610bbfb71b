#!lua
--[[
  Puts owners on one period of a board that is being built. The keys expire
  when the builder falls silent.
  KEYS[1]  string  who builds
  KEYS[2]  zset    reached and owner -> sort key
  KEYS[3]  hash    owner -> "sequence|reached|ms|metadata"
  KEYS[4]  zset    distinct sort keys
  ARGV[1]  name of the builder   ARGV[2]  how long it may be silent (ms)   ARGV[3]  tie rule
  ARGV[4…]  4 for each owner: owner, sort key, reached, value of the hash
  Returns  1, or 0 when another builder has the right
]]
local build, ranks, owners, scores = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local builder, silentMs, tieRule = ARGV[1], ARGV[2], ARGV[3]
local FIRST_ROW, PER_ROW = 4, 4

if redis.call("GET", build) ~= builder then
  return 0
end
redis.call("PEXPIRE", build, silentMs)
for row = FIRST_ROW, #ARGV, PER_ROW do
  local owner, key, reached = ARGV[row], ARGV[row + 1], ARGV[row + 2]
  redis.call("ZADD", ranks, key, reached .. owner)
  redis.call("HSET", owners, owner, ARGV[row + 3])
  if tieRule == "DENSE" then
    redis.call("ZADD", scores, key, key)
  end
end
for _, key in ipairs({ ranks, owners, scores }) do
  redis.call("PEXPIRE", key, silentMs)
end
return 1
