#!lua flags=no-writes
--[[
  Reads a run of rows of one period of a board, best first. Changes nothing.
  KEYS[1]  hash  the board: generation, applied, version, built, server, closed:<period>
  KEYS[2]  zset  reached and owner -> sort key
  KEYS[3]  hash  owner -> "sequence|reached|ms|metadata"
  KEYS[4]  zset  distinct sort keys
  ARGV[1]  generation   ARGV[2]  field of the board that says up to when such periods are archived
  ARGV[3]  tie rule
  ARGV[4]  when the period begins (ms)   ARGV[5]  when it ends (ms)
  ARGV[6]  "now" when it has to be the present one, else ""
  ARGV[7]  "place" | "rank" | "after" | "owner" | "around"
  ARGV[8]  place from 0 | rank from 1 | sort key | owner | owner
  ARGV[9]  most rows | most rows | most rows | not used | rows on each side
  ARGV[10]  reached, for "after"   ARGV[11]  how many characters reached has
  Returns  {"not-loaded"} when another build is served, or none here |
           {"outside-window", now (ms)} |
           {"archived"} when the period ended before this build or is archived |
           {"ok", version, total, place of the first row, better, distinct, rows…};
           better: entries with a better key; distinct: distinct better keys, 0 unless DENSE;
           of each row: reached and owner, sort key, value of the hash
]]
local board, ranks, owners, scores = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, closedField, tieRule = ARGV[1], ARGV[2], ARGV[3]
local starts, ends, present = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == "now"
local from, what, count = ARGV[7], ARGV[8], tonumber(ARGV[9])
local reached, reachedSize = ARGV[10], tonumber(ARGV[11])

local state = redis.call("HMGET", board, "generation", "server", "version", "built", closedField)
-- include: client/memory-fence
if state[1] ~= generation or state[2] ~= server then
  return { "not-loaded" }
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
if present and (nowMs < starts or nowMs >= ends) then
  return { "outside-window", string.format("%.0f", nowMs) }
end
if ends <= tonumber(state[4]) or ends <= tonumber(state[5] or "0") then
  return { "archived" }
end

local function memberAt(place)
  return redis.call("ZRANGE", ranks, place, place, "WITHSCORES")
end

local function below(key)
  return redis.call("ZCOUNT", ranks, "-inf", "(" .. key)
end

local function placeOfRank(rank)
  if tieRule == "DENSE" then
    local key = redis.call("ZRANGE", scores, rank - 1, rank - 1)[1]
    return key and below(key) or redis.call("ZCARD", ranks)
  end
  local key = memberAt(rank - 1)[2]
  if tieRule == "FIRST_TO_REACH" or not key or below(key) == rank - 1 then
    return rank - 1
  end
  return below(key) + redis.call("ZCOUNT", ranks, key, key)
end

-- The first place behind a key and what was reached: among equal keys by halving, because what the
-- cursor named may have moved.
local function placeAfter(key)
  local low = below(key)
  local high = low + redis.call("ZCOUNT", ranks, key, key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if string.sub(memberAt(middle)[1], 1, reachedSize) <= reached then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local total = redis.call("ZCARD", ranks)
local place = 0
if from == "place" then
  place = tonumber(what)
elseif from == "rank" then
  place = placeOfRank(tonumber(what))
elseif from == "after" then
  place = placeAfter(what)
else
  local value = redis.call("HGET", owners, what)
  if value then
    place = redis.call("ZRANK", ranks, string.match(value, "^%d+|(%w+)|") .. what)
    local size = from == "owner" and 1 or math.min(total, 2 * count + 1)
    place = from == "owner" and place or math.max(0, math.min(place - count, total - size))
    count = size
  else
    count = 0
  end
end

local rows = count > 0 and redis.call("ZRANGE", ranks, place, place + count - 1, "WITHSCORES") or {}
local result = { "ok", state[3], total, place, 0, 0 }
if rows[1] then
  result[5] = below(rows[2])
  result[6] = tieRule == "DENSE" and redis.call("ZCOUNT", scores, "-inf", "(" .. rows[2]) or 0
end
local names = {}
for index = 1, #rows, 2 do
  names[#names + 1] = string.sub(rows[index], reachedSize + 1)
end
-- At most 1,000 rows are read at once, which is well within what unpack takes.
local values = #names > 0 and redis.call("HMGET", owners, unpack(names)) or {}
for index = 1, #names do
  result[#result + 1] = rows[2 * index - 1]
  result[#result + 1] = rows[2 * index]
  result[#result + 1] = values[index]
end
return result
