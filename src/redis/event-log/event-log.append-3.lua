#!lua
--[[
  Appends an entry to a log that lives in Redis alone, trims the log by count and age, and announces
  the entry, all or nothing. Once for each operation id. A server that the log was not written on
  (restarted, restored, promoted) may have lost its end and would give the same sequences out again:
  there the log begins anew, under a higher epoch.
  KEYS[1]  stream  the log: "<sequence>-0" -> at (ms since epoch), entry
  KEYS[2]  hash    its state: server -> replication id, epoch, sequence -> the last one given out
  KEYS[3]  string  the operation: "<epoch>:<sequence>" of its entry
  ARGV[1]  the entry   ARGV[2]  channel   ARGV[3]  most entries
  ARGV[4]  how long they are kept (ms)
  ARGV[5]  how long the operation is remembered (ms)
  Returns  {epoch, sequence} of the entry
]]
local events, state, operation = KEYS[1], KEYS[2], KEYS[3]
local entry, channel, most = ARGV[1], ARGV[2], ARGV[3]
local keepMs, rememberMs = tonumber(ARGV[4]), ARGV[5]

-- include: client/memory-fence
local known = redis.call("HMGET", state, "server", "epoch", "sequence")
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local epoch, last = known[2], tonumber(known[3])
if known[1] ~= server then
  redis.call("UNLINK", events)
  epoch = string.format("%.0f", math.max(now[1] * 1000000 + now[2], (tonumber(known[2]) or 0) + 1))
  last = 0
end

local doneIn, done = string.match(redis.call("GET", operation) or "", "^(%d+):(%d+)$")
if doneIn == epoch then
  return { epoch, done }
end
local sequence = string.format("%.0f", last + 1)
local id = sequence .. "-0"
local at = string.format("%.0f", nowMs)
redis.call("XADD", events, "MAXLEN", "=", most, id, "at", at, "entry", entry)
-- One comes and up to fifteen that are too old go, so a burst is gone again after a while and no
-- call takes long.
local oldest = redis.call("XRANGE", events, "-", "+", "COUNT", 16)
local first = oldest[#oldest][1]
for index = #oldest, 1, -1 do
  if nowMs - oldest[index][2][2] < keepMs then
    first = oldest[index][1]
  end
end
redis.call("XTRIM", events, "MINID", "=", first)
redis.call("HSET", state, "server", server, "epoch", epoch, "sequence", sequence)
redis.call("SET", operation, epoch .. ":" .. sequence, "PX", rememberMs)
redis.call("PEXPIRE", events, keepMs)
redis.call("PEXPIRE", state, keepMs)
redis.call("PUBLISH", channel, '{"epoch":"' .. epoch .. '","sequence":' .. sequence .. "}")
return { epoch, sequence }
