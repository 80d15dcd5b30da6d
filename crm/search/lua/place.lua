-- Keeps which number a document has, and which others it had or is about to have,
-- so that none is ever out of reach: "CURRENT OTHER OTHER …", 0 for none.
-- KEYS[1] bucket of documents (hash)
-- ARGV[1] document  ARGV[2] claim, commit, withdraw or release  ARGV[3] number  ARGV[4] commit: the current number it is to follow
-- Returns {1 if done else 0, the value now}.
local value = redis.call('HGET', KEYS[1], ARGV[1]) or '0'
local numbers = {}
for n in string.gmatch(value, '%d+') do
  numbers[#numbers + 1] = n
end
local function others_without(n)
  local found = false
  for i = #numbers, 2, -1 do
    if numbers[i] == n then
      table.remove(numbers, i)
      found = true
    end
  end
  return found
end
local what, number, done = ARGV[2], ARGV[3], 1
if what == 'claim' then
  numbers[#numbers + 1] = number
elseif what == 'commit' then
  if numbers[1] ~= ARGV[4] or not others_without(number) then
    return {0, value}
  end
  if numbers[1] ~= '0' then
    numbers[#numbers + 1] = numbers[1]
  end
  numbers[1] = number
elseif what == 'withdraw' then
  if numbers[1] ~= '0' then
    numbers[#numbers + 1] = numbers[1]
    numbers[1] = '0'
  end
elseif what == 'release' then
  others_without(number)
end
value = table.concat(numbers, ' ')
if value == '0' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], value)
end
return {done, value}
