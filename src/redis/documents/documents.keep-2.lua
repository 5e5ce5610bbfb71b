#!lua
--[[
  Keeps a document under its hash. Expired ones make room first, then the
  least recently used.
  KEYS[1]  hash  SHA-256 -> document; field "bytes" -> what all of them weigh
  KEYS[2]  zset  SHA-256 -> when it was used last (ms since epoch)
  ARGV[1]  SHA-256   ARGV[2]  document   ARGV[3]  life unused (ms)   ARGV[4]  most bytes of all
  ARGV[5]  bytes of one besides its text
  ARGV[6]  most that may go in one call
  Returns  1 when it is kept, 0 when too much would have had to go
]]
local documents, used = KEYS[1], KEYS[2]
local hash, text = ARGV[1], ARGV[2]
local lifeMs, mostBytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local besides, mostGone = tonumber(ARGV[5]), tonumber(ARGV[6])

local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local weight = #text + besides
local bytes = tonumber(redis.call("HGET", documents, "bytes") or "0")
local known = redis.call("HEXISTS", documents, hash) == 1
for _ = 1, mostGone do
  local oldest = redis.call("ZRANGE", used, 0, 0, "WITHSCORES")
  local fits = known or bytes + weight <= mostBytes
  if not oldest[1] then
    if not fits then
      -- A server that evicts took the order away: all of it goes.
      redis.call("DEL", documents)
      bytes = 0
    end
    break
  end
  if fits and tonumber(oldest[2]) + lifeMs > nowMs then
    break
  end
  local length = redis.call("HSTRLEN", documents, oldest[1])
  if length > 0 then
    bytes = bytes - length - besides
    known = known and oldest[1] ~= hash
  end
  redis.call("HDEL", documents, oldest[1])
  redis.call("ZREM", used, oldest[1])
end
if not known and bytes + weight > mostBytes then
  redis.call("HSET", documents, "bytes", string.format("%.0f", bytes))
  return 0
end
if not known then
  bytes = bytes + weight
end
redis.call("HSET", documents, hash, text, "bytes", string.format("%.0f", bytes))
redis.call("ZADD", used, string.format("%.0f", nowMs), hash)
redis.call("PEXPIRE", documents, lifeMs)
redis.call("PEXPIRE", used, lifeMs)
return 1
