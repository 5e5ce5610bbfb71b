#!lua flags=allow-oom
--[[
  Finds a document by its hash and notes the use. Nothing grows, so a full server answers too.
  KEYS[1]  hash  SHA-256 -> document; field "bytes" -> what all of them weigh
  KEYS[2]  zset  SHA-256 -> when it was used last (ms since epoch)
  ARGV[1]  SHA-256   ARGV[2]  life unused (ms)
  Returns  the document; nil when there is none or it has not been used for that long
]]
local documents, used = KEYS[1], KEYS[2]
local hash, lifeMs = ARGV[1], tonumber(ARGV[2])

local text = redis.call("HGET", documents, hash)
local usedMs = redis.call("ZSCORE", used, hash)
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
if not text or not usedMs or tonumber(usedMs) + lifeMs <= nowMs then
  return nil
end
redis.call("ZADD", used, string.format("%.0f", nowMs), hash)
redis.call("PEXPIRE", documents, lifeMs)
redis.call("PEXPIRE", used, lifeMs)
return text
