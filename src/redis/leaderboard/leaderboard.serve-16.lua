#!lua
--[[
  Serves a finished build from now on, in the place of the one before.
  KEYS[1]  hash    the board: generation, applied, version, built, server, closed:<period>
  KEYS[2]  string  who builds
  KEYS[3]  set     names of the builds' periods that have keys
  KEYS[4]  zset  the build's keys   KEYS[5]  hash   KEYS[6]  zset
  KEYS[7]  zset   KEYS[8]  hash   KEYS[9]  zset   KEYS[10]  zset   KEYS[11]  hash   KEYS[12]  zset
  KEYS[13]  zset   KEYS[14]  hash   KEYS[15]  zset
  KEYS[16]  zset   ranges "first-last" of the build before -> first sequence
  ARGV[1]  name of the builder   ARGV[2]  generation
  ARGV[3]  last sequence of the ledger before the build began   ARGV[4]  when that was (ms)
  ARGV[5], ARGV[6], ARGV[7]  up to when months, weeks and days are archived (ms)
  ARGV[8…]  names of the build's periods
  Returns  1, or 0 when another builder has the right
]]
local board, build, names, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[16]
local keys = {
  KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9],
  KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15],
}
local builder, generation, applied, builtMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local closed = { MONTH = ARGV[5], WEEK = ARGV[6], DAY = ARGV[7] }
local FIRST_NAME = 8

if redis.call("GET", build) ~= builder then
  return 0
end
-- include: client/memory-fence
redis.call("UNLINK", board, build, waiting)
redis.call(
  "HSET", board, "generation", generation, "applied", applied, "version", applied,
  "built", builtMs, "server", server
)
for period, endMs in pairs(closed) do
  redis.call("HSET", board, "closed:" .. period, endMs)
end
for _, key in ipairs(keys) do
  redis.call("PERSIST", key)
end
for index = FIRST_NAME, #ARGV do
  redis.call("SADD", names, ARGV[index])
end
return 1
