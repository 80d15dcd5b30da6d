-- Saves a note if it was edited from the newest revision.
-- KEYS[1] contact record
-- ARGV[1] base revision  ARGV[2] text  ARGV[3] author  ARGV[4] saved at
-- Returns {1, revision} when saved (or saved before with the same text), {0, revision} on a conflict.
local rev = tonumber(redis.call('HGET', KEYS[1], 'note_rev') or '0')
if rev ~= tonumber(ARGV[1]) then
  if redis.call('HGET', KEYS[1], 'note') == ARGV[2] then
    return {1, rev}
  end
  return {0, rev}
end
rev = rev + 1
redis.call('HSET', KEYS[1], 'note', ARGV[2], 'note_rev', rev, 'note_by', ARGV[3], 'note_at', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'v', 1)
return {1, rev}
