#!lua flags=allow-oom
--[[
  Reads tallies of products, in the order asked. Viewers are counted
  while they are known one by one and the period goes on. Otherwise
  they are estimated.
  KEYS[1..]  hash  of each tally five keys, this and those below. The shard: server it was claimed
                   on, generation, id of the last cut batch
             hash  the tally: generation, views, shares
             string  HyperLogLog of its viewers
             hash  the product's tally of all time: generation, over
             zset  while they are few: the product's viewers -> number of the day of their last view
  ARGV[1..]  of each tally: number of the first day of the period, "-inf" for all time; "" where it
             has ended
  Returns  of each tally: {"not-claimed"} | {"not-loaded"} |
           {"here", views, shares, viewers, "1" when counted and "0" when estimated}
]]
local KEYS_OF_TALLY = 5

-- include: client/memory-fence
local generations = {}

local function generationOf(shard)
  if generations[shard] == nil then
    local claimed = redis.call("HMGET", shard, "server", "generation")
    generations[shard] = claimed[1] == server and claimed[2]
  end
  return generations[shard]
end

local function isFew(whole, generation)
  local all = redis.call("HMGET", whole, "generation", "over")
  return all[1] == generation and not all[2]
end

local function read(shard, tally, viewers, whole, exact, since)
  local generation = generationOf(shard)
  if not generation then
    return { "not-claimed" }
  end
  local counts = redis.call("HMGET", tally, "generation", "views", "shares")
  if counts[1] ~= generation then
    return { "not-loaded" }
  end
  if since ~= "" and isFew(whole, generation) then
    local few = redis.call("ZCOUNT", exact, since, "+inf")
    return { "here", counts[2], counts[3], tostring(few), "1" }
  end
  local estimate = redis.call("PFCOUNT", viewers)
  return { "here", counts[2], counts[3], string.format("%.0f", estimate), "0" }
end

local answers = {}
for index, since in ipairs(ARGV) do
  local at = KEYS_OF_TALLY * (index - 1)
  answers[index] =
    read(KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4], KEYS[at + 5], since)
end
return answers
