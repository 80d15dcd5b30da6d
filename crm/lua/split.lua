-- Forgets that a person was found to be another.
-- KEYS[1] into  KEYS[2] order  KEYS[3] by (person → "order merge", ":PERSON" → who is merged into them)
-- ARGV[1] person  ARGV[2] whom they are merged into
-- Returns 1, or 0 when they are not.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
local rest = ''
for id in string.gmatch(redis.call('HGET', KEYS[3], ':' .. ARGV[2]) or '', '%S+') do
  if id ~= ARGV[1] then
    rest = rest .. id .. ' '
  end
end
if rest == '' then
  redis.call('HDEL', KEYS[3], ':' .. ARGV[2])
else
  redis.call('HSET', KEYS[3], ':' .. ARGV[2], rest)
end
return 1
