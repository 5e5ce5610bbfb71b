#!lua flags=allow-oom
--[[
  Loads the revocations of a user from Postgres; then this server may judge
  the user's sessions. An epoch never goes back: a revocation committed
  since the caller looked may have been here already.
  KEYS[1]  string  the user's epoch: "<epoch>@<replication id>"
  KEYS[2]  zset    ids of the user's sessions -> when they expire (ms since epoch)
  ARGV[1]  epoch   ARGV[2]  how long it is kept (ms)
  ARGV[3…]  ids of sessions that were ended one by one
  Returns  the epoch that now holds
]]
local epoch, sessions = KEYS[1], KEYS[2]
local read, keepMs = tonumber(ARGV[1]), ARGV[2]

-- include: client/memory-fence
local current = tonumber(string.match(redis.call("GET", epoch) or "", "^%d+")) or 0
local holds = math.max(read, current)
for index = 3, #ARGV do
  redis.call("ZREM", sessions, ARGV[index])
end
redis.call("SET", epoch, string.format("%.0f", holds) .. "@" .. server, "PX", keepMs)
return holds
