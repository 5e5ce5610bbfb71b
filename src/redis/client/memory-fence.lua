--[[
  Part of the scripts that judge by what this server remembers: names its memory.
  A server that restarted, was restored or took over has another replication id.
  Defines server.
]]
local server = string.match(redis.call("INFO", "replication"), "master_replid:(%x+)")
