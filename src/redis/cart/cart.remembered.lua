--[[
  Part of the scripts of a cart that write: forgets operations. Expired ones
  go first, then the oldest.
]]
local MAX_OPERATIONS, LEFT_OPERATIONS, OPERATIONS_MS = 512, 384, 86400000

local function forgetSome(operations)
  redis.call("PEXPIRE", operations, OPERATIONS_MS)
  if redis.call("HLEN", operations) <= MAX_OPERATIONS then
    return
  end
  local all, kept = redis.call("HGETALL", operations), {}
  for index = 1, #all, 2 do
    local made = string.match(all[index + 1], "^%d+")
    if made + OPERATIONS_MS <= nowMs then
      redis.call("HDEL", operations, all[index])
    else
      kept[#kept + 1] = { id = all[index], made = tonumber(made) }
    end
  end
  table.sort(kept, function(a, b)
    return a.made < b.made
  end)
  for index = 1, #kept - LEFT_OPERATIONS do
    redis.call("HDEL", operations, kept[index].id)
  end
end
