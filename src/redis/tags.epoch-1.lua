#!lua flags=allow-oom
--[[
  Keeps the cache epoch while the servers are the ones it was made on, else makes a new one: what such a server holds may be old.
  KEYS[1]  string  the epoch: "<version>@<servers>"
  ARGV[1]  the servers: a word made of the run ids of all masters   ARGV[2]  "keep" | "renew" (make a new one in any case)
  Returns  its value
]]
local epoch = KEYS[1]
local servers, mode = ARGV[1], ARGV[2]

local old = redis.call("GET", epoch) or ""
local madeOn = string.match(old, "@(.*)$")
if mode == "keep" and madeOn == servers then
  return old
end
local now = redis.call("TIME")
local last = tonumber(string.match(old, "^%d+")) or 0
local value = string.format("%.0f", math.max(now[1] * 1000000 + now[2], last + 1)) .. "@" .. servers
redis.call("SET", epoch, value)
return value
