-- Follows merges up.
-- KEYS[1] into
-- ARGV[1] person
-- Returns {person, whom they are merged into, whom that one is merged into …}
local out = {ARGV[1]}
local next = redis.call('HGET', KEYS[1], ARGV[1])
while next and #out < 64 do
  out[#out + 1] = next
  next = redis.call('HGET', KEYS[1], next)
end
return out
