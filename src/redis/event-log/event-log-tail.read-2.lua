#!lua flags=allow-oom
--[[
  Reads what follows a sequence in the cached tail of a log. A
  tail that was not loaded on this server (new, restarted,
  restored, promoted) is emptied. The caller is noted as its
  loader.
  KEYS[1]  stream  the tail: "<sequence>-0" -> at (ms since epoch), entry
  KEYS[2]  hash    its state: server -> replication id; last -> sequence that it reaches to, or
                   loading -> who loads it
  ARGV[1]  sequence to read after, or "" for none of the entries   ARGV[2]  most entries
  ARGV[3]  names the caller
  ARGV[4]  how long the tail is kept (ms)
  Returns  {"not-loaded"} | {"loaded", last sequence, now (ms), sequence, entry, …}
]]
local tail, state = KEYS[1], KEYS[2]
local after, most, caller, keepMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- include: client/memory-fence
local known = redis.call("HMGET", state, "server", "last")
if known[1] ~= server or not known[2] then
  redis.call("UNLINK", tail, state)
  redis.call("HSET", state, "server", server, "loading", caller)
  redis.call("PEXPIRE", state, keepMs)
  return { "not-loaded" }
end
redis.call("PEXPIRE", tail, keepMs)
redis.call("PEXPIRE", state, keepMs)
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local answer = { "loaded", known[2], string.format("%.0f", nowMs) }
if after ~= "" then
  for _, found in ipairs(redis.call("XRANGE", tail, "(" .. after .. "-0", "+", "COUNT", most)) do
    answer[#answer + 1] = string.match(found[1], "^%d+")
    answer[#answer + 1] = found[2][4]
  end
end
return answer
