#!lua flags=allow-oom
--[[
  Reads or raises the time before which the sessions of all users
  were revoked. Like an epoch it counts only on the server it was
  loaded on. It never goes back.
  KEYS[1]  string  "<ms since epoch>@<replication id>"
  ARGV[1]  a time of Postgres (ms since epoch), or "" to read
  Returns  the time that holds (ms); "" when it was not loaded on this server
]]
local before = KEYS[1]
local known = ARGV[1]

-- include: client/memory-fence
local current, loadedOn = string.match(redis.call("GET", before) or "", "^(%d+)@(%x+)$")
if known == "" then
  return loadedOn == server and current or ""
end
local holds = math.max(tonumber(known), tonumber(current) or 0)
redis.call("SET", before, string.format("%.0f", holds) .. "@" .. server)
return string.format("%.0f", holds)
