-- Keeps the hash of a party's tracking secret and forgets their old one.
-- KEYS[1] secrets (first letters → "party hash")
-- ARGV[1] first letters  ARGV[2] party  ARGV[3] hash
-- Returns 1, or 0 when another party's secret begins with these letters.
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local party = string.match(all[i + 1], '^(%S+) ')
  if all[i] == ARGV[1] and party ~= ARGV[2] then
    return 0
  end
end
for i = 1, #all, 2 do
  if string.match(all[i + 1], '^(%S+) ') == ARGV[2] then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return 1
