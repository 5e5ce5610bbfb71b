#!lua flags=allow-oom
--[[
  Lets this server serve a build that is complete.
  KEYS[1]  hash  the board: generation, applied, version, built, server, closed:<period>
  ARGV[1]  generation   ARGV[2]  last sequence of the ledger
  Returns  1 when it is verified now; 0 when it is another build, or one that lacks something
]]
local board = KEYS[1]
local generation, last = ARGV[1], tonumber(ARGV[2])

local fields = redis.call("HMGET", board, "generation", "applied")
if fields[1] ~= generation or tonumber(fields[2]) < last then
  return 0
end
-- include: client/memory-fence
redis.call("HSET", board, "server", server)
return 1
