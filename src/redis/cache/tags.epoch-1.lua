#!lua flags=allow-oom
--[[
  Keeps the cache epoch or makes a new one, which ends every entry: a server
  that restarted or took over may hold old ones.
  KEYS[1]  string  the epoch: "<version>@<servers>"
  ARGV[1]  the servers: a word made of the identities of all masters
  ARGV[2]  "renew": make a new one in any case | "check": keep one made on these servers |
           "find": keep any
  ARGV[3]  version of the newest epoch that the caller has seen, or 0: "check" keeps no older one
  Returns  its value
]]
local epoch = KEYS[1]
local servers, mode, oldest = ARGV[1], ARGV[2], tonumber(ARGV[3])

local old = redis.call("GET", epoch) or ""
local madeOn = string.match(old, "@(.*)$")
local last = tonumber(string.match(old, "^%d+")) or 0
if mode == "find" and madeOn then
  return old
end
if mode == "check" and madeOn == servers and last >= oldest then
  return old
end
local now = redis.call("TIME")
local version = math.max(now[1] * 1000000 + now[2], last + 1, oldest + 1)
local value = string.format("%.0f", version) .. "@" .. servers
redis.call("SET", epoch, value)
return value
