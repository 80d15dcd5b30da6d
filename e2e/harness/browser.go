package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // only with options, and there are none
	}
	return jar
}

// Browser is one Chromium with a profile of its own. Its microphone hears the
// tone it was started with.
type Browser struct {
	t   testing.TB
	ctx context.Context
	dir string
}

// Chromium starts a real, headless Chromium whose microphone hears a tone of hz,
// or silence when hz is 0.
func Chromium(t testing.TB, hz float64) *Browser {
	t.Helper()
	dir, err := os.MkdirTemp("", "c3i-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	wav := filepath.Join(dir, "microphone.wav")
	if err := os.WriteFile(wav, toneWAV(hz, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", wav),
		chromedp.Flag("allow-loopback-in-peer-connection", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("mute-audio", false),
	)
	if p := os.Getenv("C3I_CHROMIUM"); p != "" {
		opts = append(opts, chromedp.ExecPath(p))
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	b := &Browser{t: t, ctx: ctx, dir: dir}
	t.Cleanup(func() {
		cancel()
		cancelAlloc()
		_ = os.RemoveAll(dir)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium (run scripts/setup test first): %v", err)
	}
	return b
}

// Tab is one page.
type Tab struct {
	t    testing.TB
	ctx  context.Context
	name string
}

// listenScript keeps the page's peer connections where tests find them, to
// measure what the page really receives.
const listenScript = `(() => {
  const Real = window.RTCPeerConnection;
  window.__peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...a) { super(...a); window.__peers.push(this); }
  };
})();`

// Open opens a page in a tab of its own, at 1280×720.
func (b *Browser) Open(name, url string) *Tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.t.Logf("%s: script error: %s %s", name, ev.ExceptionDetails.Text, describe(ev.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			if ev.Type == "error" {
				var parts []string
				for _, a := range ev.Args {
					parts = append(parts, describe(a))
				}
				b.t.Logf("%s: console: %s", name, strings.Join(parts, " "))
			}
		}
	}))
	tab := &Tab{t: b.t, ctx: ctx, name: name}
	b.t.Cleanup(func() {
		if b.t.Failed() {
			tab.Screenshot("failed-" + name + ".png")
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	tab.run("open "+url, 30*time.Second,
		chromedp.EmulateViewport(1280, 720),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: listenScript})
			return err
		}),
		chromedp.Navigate(url))
	return tab
}

func describe(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	if o.Description != "" {
		return o.Description
	}
	return string(o.Value)
}

// Close closes the tab as a person does.
func (tab *Tab) Close() {
	tab.t.Helper()
	if err := chromedp.Cancel(tab.ctx); err != nil {
		tab.t.Errorf("close %s: %v", tab.name, err)
	}
}

func (tab *Tab) run(what string, limit time.Duration, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatalf("%s: %s: %v\npage says:\n%s", tab.name, what, err, tab.Text())
	}
}

// Text is what the page shows, for messages.
func (tab *Tab) Text() string {
	ctx, cancel := context.WithTimeout(tab.ctx, 3*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return text
}

// findScript finds the visible control with an accessible name, as a person
// using a screen reader would.
const findScript = `(kind, name) => {
  const visible = e => e.checkVisibility({visibilityProperty: true}) && !e.closest('[aria-hidden="true"]');
  const nameOf = e => {
    const by = e.getAttribute('aria-labelledby');
    if (by) return by.split(/\s+/).map(id => document.getElementById(id)?.textContent ?? '').join(' ');
    if (e.getAttribute('aria-label')) return e.getAttribute('aria-label');
    if (e.labels?.length) return [...e.labels].map(l => l.textContent).join(' ');
    return e.textContent;
  };
  const kinds = {button: 'button, [role=button], a[href]', field: 'input, select, textarea'};
  const want = name.toLowerCase();
  const all = [...document.querySelectorAll(kinds[kind])].filter(e => visible(e) && !e.disabled && e.getAttribute('aria-disabled') !== 'true');
  const norm = e => nameOf(e).trim().replace(/\s+/g, ' ').toLowerCase();
  return all.find(e => norm(e) === want) ?? all.find(e => norm(e).startsWith(want)) ?? null;
}`

// Press presses the button or link with a name, once there is one.
func (tab *Tab) Press(name string) {
	tab.t.Helper()
	tab.Until("press "+name, fmt.Sprintf(`(() => { const e = (%s)('button', %q); if (!e) return false; e.focus(); e.click(); return true; })()`, findScript, name))
}

// WaitButton waits until the button or link with a name can be pressed.
func (tab *Tab) WaitButton(name string) {
	tab.t.Helper()
	tab.Until("have the button "+name, fmt.Sprintf(`(%s)('button', %q)`, findScript, name))
}

// HasButton reports whether a button with a name can be pressed now.
func (tab *Tab) HasButton(name string) bool {
	tab.t.Helper()
	var has bool
	tab.Evaluate(fmt.Sprintf(`!!(%s)('button', %q)`, findScript, name), &has)
	return has
}

// Fill types into the field with a label, replacing what it holds, key by key.
func (tab *Tab) Fill(label, text string) {
	tab.t.Helper()
	tab.Until("focus "+label, fmt.Sprintf(`(() => { const e = (%s)('field', %q); if (!e) return false; e.focus(); e.select?.(); return document.activeElement === e; })()`, findScript, label))
	tab.run("type into "+label, 20*time.Second, chromedp.KeyEvent(text))
}

// Choose selects the option whose text begins so in the list with a label.
func (tab *Tab) Choose(label, option string) {
	tab.t.Helper()
	tab.Until("choose "+option, fmt.Sprintf(`(() => {
	  const e = (%s)('field', %q); if (!e) return false;
	  const o = [...e.options].find(o => o.textContent.trim().startsWith(%q)); if (!o) return false;
	  e.focus(); e.value = o.value; e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));
	  return true; })()`, findScript, label, option))
}

// Keys presses keys on the page, as from the keyboard.
func (tab *Tab) Keys(keys string) {
	tab.t.Helper()
	tab.run("press keys", 10*time.Second, chromedp.KeyEvent(keys))
}

// Alt presses a key with Alt held, as the desk's shortcuts are written.
func (tab *Tab) Alt(key string) {
	tab.t.Helper()
	tab.run("press Alt+"+key, 10*time.Second, chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierAlt)))
}

// WaitText waits until the page shows a text.
func (tab *Tab) WaitText(text string) {
	tab.t.Helper()
	tab.Until("wait for "+text, fmt.Sprintf(`document.body.innerText.toLowerCase().includes(%q)`, strings.ToLower(text)))
}

// WaitNoText waits until the page does not show a text.
func (tab *Tab) WaitNoText(text string) {
	tab.t.Helper()
	tab.Until("wait until gone: "+text, fmt.Sprintf(`!document.body.innerText.toLowerCase().includes(%q)`, strings.ToLower(text)))
}

// Until waits until an expression is true. The page is asked from outside,
// because its content security policy rightly forbids scripts made of text.
func (tab *Tab) Until(what, expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, time.Minute)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			tab.t.Fatalf("%s: %s: not within a minute (%v)\npage says:\n%s", tab.name, what, err, tab.Text())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// toneScript measures what arrives on the newest connection's audio track for a
// while: the loudest frequency in Hz, and the level in dB full scale.
const toneScript = `async (ms) => {
  const peers = window.__peers.filter(p => p.connectionState !== 'closed');
  const peer = peers[peers.length - 1];
  const receiver = peer?.getReceivers().find(r => r.track?.kind === 'audio');
  if (!receiver) return {hz: 0, db: -200};
  const ctx = new AudioContext();
  await ctx.resume();
  const source = ctx.createMediaStreamSource(new MediaStream([receiver.track]));
  const analyser = ctx.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  source.connect(analyser);
  await new Promise(r => setTimeout(r, ms));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  let best = 0;
  for (let i = 1; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
  const hz = best * ctx.sampleRate / analyser.fftSize, db = bins[best];
  await ctx.close();
  return {hz, db: Number.isFinite(db) ? db : -200};
}`

type heard struct{ Hz, Db float64 }

func (tab *Tab) listen() heard {
	tab.t.Helper()
	var h heard
	tab.Evaluate(fmt.Sprintf(`(%s)(400)`, toneScript), &h)
	return h
}

// WaitHears waits until the page receives a tone of hz.
func (tab *Tab) WaitHears(hz float64) {
	tab.t.Helper()
	tab.waitAudio(fmt.Sprintf("hear %.0f Hz", hz), func(h heard) bool { return math.Abs(h.Hz-hz) < 15 && h.Db > -60 })
}

// WaitNotHears waits until the tone of hz is gone from what the page receives.
func (tab *Tab) WaitNotHears(hz float64) {
	tab.t.Helper()
	tab.waitAudio(fmt.Sprintf("no longer hear %.0f Hz", hz), func(h heard) bool { return math.Abs(h.Hz-hz) > 15 || h.Db < -75 })
}

func (tab *Tab) waitAudio(what string, ok func(heard) bool) {
	tab.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	var last heard
	for time.Now().Before(deadline) {
		if last = tab.listen(); ok(last) {
			return
		}
	}
	tab.t.Fatalf("%s: did not %s; heard %.0f Hz at %.0f dB", tab.name, what, last.Hz, last.Db)
}

// Screenshot keeps a picture of the tab among the artefacts.
func (tab *Tab) Screenshot(file string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 15*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Logf("%s: no screenshot: %v", tab.name, err)
		return
	}
	if err := os.WriteFile(Artefact(tab.t, file), png, 0o600); err != nil {
		tab.t.Error(err)
	}
}

// Resize sets the size of the page.
func (tab *Tab) Resize(width, height int64) {
	tab.t.Helper()
	tab.run("resize", 10*time.Second, chromedp.EmulateViewport(width, height))
}

// SignOn signs a user on at the desk and, with a one-time password, chooses next.
func (tab *Tab) SignOn(user, password, next string) {
	tab.t.Helper()
	tab.Fill("User name", user)
	tab.Fill("Password", password)
	tab.Press("Sign in")
	if next != "" {
		tab.Fill("One-time password", password)
		tab.Fill("New password", next)
		tab.Fill("New password again", next)
		tab.Press("Save and open the desk")
	}
}

// toneWAV is a mono 16-bit WAV file at 48 kHz.
func toneWAV(hz float64, seconds int) []byte {
	const rate = 48000
	n := rate * seconds
	var b []byte
	put := func(v ...any) {
		for _, x := range v {
			switch x := x.(type) {
			case string:
				b = append(b, x...)
			case uint32:
				b = append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
			case uint16:
				b = append(b, byte(x), byte(x>>8))
			}
		}
	}
	put("RIFF", uint32(36+2*n), "WAVE", "fmt ", uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2*rate), uint16(2), uint16(16), "data", uint32(2*n))
	for i := range n {
		put(uint16(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/rate))))
	}
	return b
}

// Evaluate runs a script in the page, waits for its promise if it gives one, and
// decodes its JSON answer.
func (tab *Tab) Evaluate(script string, to any) {
	tab.t.Helper()
	tab.evaluate(15*time.Second, script, to)
}

func (tab *Tab) evaluate(limit time.Duration, script string, to any) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise))
	if err == nil && to != nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		tab.t.Fatalf("%s: evaluate: %v\npage says:\n%s", tab.name, err, tab.Text())
	}
}

// NoScript turns the page's own scripts off, or on again; what tests ask of the
// page still works.
func (tab *Tab) NoScript(off bool) {
	tab.t.Helper()
	tab.run("turn scripts off", 10*time.Second, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		return err
	}))
}

// Violations checks the page with axe against WCAG 2.2 AA and says in words what
// is wrong. axe is a script itself: the page's own must not be turned off.
func (tab *Tab) Violations() []string {
	tab.t.Helper()
	source, err := os.ReadFile(filepath.Join(Root(), "agentdesk", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		tab.t.Fatalf("axe-core (run make web first): %v", err)
	}
	var found []struct {
		ID    string
		Nodes []struct{ Target []string }
	}
	tab.evaluate(time.Minute, string(source)+`; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => r.violations.map(v => ({ID: v.id, Nodes: v.nodes.map(n => ({Target: n.target.map(String)}))})))`, &found)
	var out []string
	for _, v := range found {
		out = append(out, fmt.Sprintf("%s: %v", v.ID, v.Nodes))
	}
	return out
}

// Go opens another address in the tab.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	tab.run("open "+url, 30*time.Second, chromedp.Navigate(url))
}
