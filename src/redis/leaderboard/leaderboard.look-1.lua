#!lua flags=no-writes
--[[
  Which build of a board is served. Also whether it was compared
  with the ledger on this server.
  KEYS[1]  hash  the board: generation, applied, version, built, server, closed:<period>
  Returns  {} when there is none; else {generation, sequence up to which nothing is missing,
           "1" when verified or "0"}
]]
local board = KEYS[1]

local fields = redis.call("HMGET", board, "generation", "applied", "server")
if not fields[1] then
  return {}
end
-- include: client/memory-fence
return { fields[1], fields[2], fields[3] == server and "1" or "0" }
