--[[
  Part of the scripts that count: remembers operation ids, so that
  a repeat counts nothing. Reads operations, slot, operation,
  keepMs and nowMs. A slot holds its latest ids, newest first.
  Each is ";<id, 8 characters><time, 11 hexadecimal digits of
  ms>". Ids beyond SLOT_ENTRIES are forgotten.
]]
local SLOT_ENTRIES, ENTRY_BYTES = 64, 20
local remembered = keepMs > 0 and redis.call("HGET", operations, slot) or ""

local function isRepeated()
  local at = keepMs > 0 and string.find(remembered, ";" .. operation, 1, true)
  return at and tonumber(string.sub(remembered, at + 9, at + 19), 16) + keepMs > nowMs
end

local function remember()
  if keepMs > 0 then
    local entry = string.format(";%s%011x", operation, nowMs)
    local latest = string.sub(entry .. remembered, 1, SLOT_ENTRIES * ENTRY_BYTES)
    redis.call("HSET", operations, slot, latest)
    redis.call("PEXPIRE", operations, keepMs)
  end
end
