#!lua flags=allow-oom
--[[
  Gives a tag a new version: entries with the old one are dead ("delete") or
  stale ("expire"). Runs on a full server too: a refused invalidation would
  leave stale values.
  KEYS[1]  string  the tag: "<hard version>" or "<hard version>:<soft version>"
  ARGV[1]  "delete" | "expire"   ARGV[2]  how long the tag is kept (ms)
  Returns  the new value
]]
local tag = KEYS[1]
local mode, keepMs = ARGV[1], ARGV[2]

local old = redis.call("GET", tag) or ""
local hard = string.match(old, "^%d+") or "0"
local soft = string.match(old, ":(%d+)$") or "0"
local now = redis.call("TIME")
local version = string.format("%.0f", math.max(now[1] * 1000000 + now[2], hard + 1, soft + 1))
local value = version
if mode == "expire" and old ~= "" then
  value = hard .. ":" .. version
end
redis.call("SET", tag, value, "PX", keepMs)
return value
