--[[
  Part of the scripts of a user's sessions: reads the epoch, and whether it counts on this server.
  Reads epoch; defines server, current (nil for none) and isLoaded.
]]
-- include: client/memory-fence
local current, loadedOn = string.match(redis.call("GET", epoch) or "", "^(%d+)@(%x+)$")
local isLoaded = loadedOn == server
