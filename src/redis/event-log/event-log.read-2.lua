#!lua flags=allow-oom
--[[
  Reads what follows a position in a log that lives in Redis alone, or says why it cannot. A log
  that is not there, or was written on another server, gets a new epoch at once, so that whoever
  asks has a position from which nothing is missed.
  KEYS[1]  stream  the log: "<sequence>-0" -> at (ms since epoch), entry
  KEYS[2]  hash    its state: server -> replication id, epoch, sequence -> the last one given out
  ARGV[1]  epoch of the position, or "" to learn only where the log ends   ARGV[2]  its sequence
  ARGV[3]  most entries
  ARGV[4]  how long the log is kept (ms)
  Returns  {"page", epoch, last sequence, sequence, entry, …} | {reason of a gap, epoch, sequence to
           resume after}
]]
local events, state = KEYS[1], KEYS[2]
local askedEpoch, after, most, keepMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

-- include: client/memory-fence
local known = redis.call("HMGET", state, "server", "epoch", "sequence")
local epoch, last = known[2], known[3]
if known[1] ~= server then
  redis.call("UNLINK", events)
  local now = redis.call("TIME")
  epoch = string.format("%.0f", math.max(now[1] * 1000000 + now[2], (tonumber(known[2]) or 0) + 1))
  last = "0"
  redis.call("HSET", state, "server", server, "epoch", epoch, "sequence", last)
end
redis.call("PEXPIRE", events, keepMs)
redis.call("PEXPIRE", state, keepMs)
if askedEpoch == "" then
  return { "page", epoch, last }
end

local first = redis.call("XRANGE", events, "-", "+", "COUNT", 1)[1]
local trimmed = first and tonumber(string.match(first[1], "^%d+")) - 1 or tonumber(last)
if askedEpoch ~= epoch then
  return { "EPOCH_CHANGED", epoch, string.format("%.0f", trimmed) }
end
if after > tonumber(last) then
  return { "CURSOR_INVALID", epoch, last }
end
if after < trimmed then
  return { "TRIMMED", epoch, string.format("%.0f", trimmed) }
end
local answer = { "page", epoch, last }
local start = "(" .. string.format("%.0f", after) .. "-0"
for _, found in ipairs(redis.call("XRANGE", events, start, "+", "COUNT", most)) do
  answer[#answer + 1] = string.match(found[1], "^%d+")
  answer[#answer + 1] = found[2][4]
end
return answer
