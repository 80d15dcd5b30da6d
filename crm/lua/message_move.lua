-- Gives a message that still exists the document that names its new contact.
-- KEYS[1] message  ARGV[1] document
if redis.call('HEXISTS', KEYS[1], 'doc') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'doc', ARGV[1])
return 1
