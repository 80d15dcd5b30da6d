import type { TimerOrder } from './timers.ts';

const running = new Map<number, ReturnType<typeof setTimeout>>();

addEventListener('message', (event: MessageEvent<TimerOrder>) => {
  const order = event.data;
  if (order.kind === 'cancel') {
    clearTimeout(running.get(order.id));
    running.delete(order.id);
    return;
  }
  const tell = () => postMessage(order.id);
  running.set(order.id, order.kind === 'every' ? setInterval(tell, order.ms) : setTimeout(() => { running.delete(order.id); tell(); }, order.ms));
});
