#!lua
--[[
  Takes the right to build a board anew, unless another builder has it. What
  is served meanwhile stays as it is.
  KEYS[1]  string  who builds
  ARGV[1]  name of the builder   ARGV[2]  how long it may be silent (ms)
  Returns  name of the new generation, or "" when another builder has the right
]]
local build = KEYS[1]
local builder, silentMs = ARGV[1], ARGV[2]

if not redis.call("SET", build, builder, "NX", "PX", silentMs) then
  return ""
end
local now = redis.call("TIME")
return string.format("%.0f", now[1] * 1000000 + now[2])
