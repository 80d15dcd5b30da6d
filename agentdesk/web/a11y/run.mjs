// Visits every scene of stories.html in both themes and several sizes, runs axe
// on it, checks that nothing scrolls sideways, and keeps a picture in a11y/out.
//   npm run a11y                 everything
//   npm run a11y -- ringing call scenes whose name starts so
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = join(here, 'out');
const wanted = process.argv.slice(2);
const sizes = [
  { name: '1280x720', width: 1280, height: 720 },
  { name: '1920x1080', width: 1920, height: 1080 },
  { name: '400-percent', width: 320, height: 256 }, // 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10)
  { name: 'phone', width: 390, height: 844 },
];
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

await mkdir(out, { recursive: true });
const profile = await mkdtemp(join(tmpdir(), 'c3i-a11y-'));
const server = await createServer({ root: join(here, '..'), logLevel: 'error', server: { port: 0, host: '127.0.0.1', proxy: {} } });
await server.listen();
const base = server.resolvedUrls.local[0];
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.C3I_CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const failures = [];
let looked = 0;
try {
  const page = await context.newPage();
  page.on('pageerror', (e) => failures.push(`${page.url()}: ${e.message}`));
  await page.goto(`${base}stories.html`);
  await page.waitForFunction('document.body.dataset.stories');
  const stories = (await page.evaluate('document.body.dataset.stories')).split(' ');
  const pages = [...stories.map((s) => [s, `stories.html?story=${s}`]), ['start', 'index.html']];
  for (const [story, path] of pages) {
    if (wanted.length && !wanted.some((w) => story.startsWith(w))) continue;
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const size of sizes) {
        const where = `${story} ${colorScheme} ${size.name}`;
        await page.setViewportSize(size);
        await page.goto(base + path);
        if (story !== 'start') await page.waitForFunction('document.body.dataset.ready');
        await page.evaluate('document.fonts.ready');
        looked++;
        const wide = await page.evaluate('document.scrollingElement.scrollWidth - innerWidth');
        if (wide > 0) failures.push(`${where}: the page scrolls sideways by ${wide} px`);
        await page.evaluate(axe);
        const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
        for (const v of found.violations) {
          failures.push(`${where}: ${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `      ${n.target.join(' ')}: ${n.any.concat(n.all, n.none).map((c) => c.message).join('; ')}`).join('\n')}`);
        }
        await page.screenshot({ path: join(out, `${story}-${colorScheme}-${size.name}.png`), fullPage: size.width < 1000 });
      }
    }
  }
} finally {
  await context.close();
  await server.close();
  await rm(profile, { recursive: true, force: true });
}
await writeFile(join(out, 'report.txt'), failures.join('\n') + '\n');
if (failures.length) {
  console.error(failures.join('\n'));
  console.error(`${failures.length} problems in ${looked} views`);
  process.exitCode = 1;
} else if (!looked) {
  console.error('no scene of that name');
  process.exitCode = 1;
} else {
  console.log(`${looked} views, no problem found`);
}
