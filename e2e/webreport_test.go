package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"example.org/c3i/e2e/harness"
)

// fillPage answers the page of the form that is open, as a person would, and goes
// on. It gives the address it came to.
var fillPage = strings.Replace(`(() => {
  const pick = {emergency: 'no', category: 'damage', harm: 'none', needs: 'none', evidence: 'photos', another: 'no', damage: 'home'};
  const form = document.querySelector('main form');
  const seen = new Set();
  for (const e of form.querySelectorAll('input, textarea')) {
    if (e.type === 'hidden' || e.closest('.away')) continue;
    if (e.type === 'radio' || e.type === 'checkbox') {
      if (seen.has(e.name)) continue;
      seen.add(e.name);
      const want = pick[e.name];
      (want ? form.querySelector('input[name="' + e.name + '"][value="' + want + '"]') : e).checked = true;
    } else if (e.type === 'file') {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob('PHOTOGRAPH'), (c) => c.charCodeAt(0))], 'window.jpg', {type: 'image/jpeg'}));
      e.files = data.files;
    } else {
      const part = /-(day|month|year)$/.exec(e.name);
      e.value = part ? {day: '1', month: '2', year: e.name.startsWith('born') ? '1980' : '2025'}[part[1]]
        : e.name.includes('time') ? '' : e.name.includes('postcode') ? 'SW1A 1AA' : e.name === 'email' ? 'sam@example.org'
        : e.name === 'phone' ? '07700 900123' : e.name.includes('value') ? '250' : e.name.includes('name') ? 'Sam' : 'A window was broken';
    }
  }
  const buttons = [...form.querySelectorAll('button')];
  (buttons.find(b => b.value === 'continue') ?? buttons[buttons.length - 1]).click();
  return true;
})()`, "PHOTOGRAPH", base64.StdEncoding.EncodeToString(photographJPEG()), 1)

// axe checks the page against WCAG 2.2 AA. It is a script itself: pages without
// scripts are the same pages.
func axe(t *testing.T, tab *harness.Tab, name string, scripts bool) {
	t.Helper()
	if !scripts {
		return
	}
	for _, v := range tab.Violations() {
		t.Errorf("%s: axe: %s", name, v)
	}
}

// reportOnTheWeb answers the whole form from its first page and sends it. It gives
// the reference and the secret.
func reportOnTheWeb(t *testing.T, tab *harness.Tab, name string, scripts bool) (reference, secret string) {
	t.Helper()
	tab.Press("Start now")
	last := "/report"
	for last != "/report/sent" {
		tab.Until("leave "+last, fmt.Sprintf("location.pathname !== %q && document.readyState === 'complete'", last))
		tab.Evaluate("location.pathname", &last)
		step := strings.TrimPrefix(last, "/report/")
		axe(t, tab, step, scripts)
		if step == "files" || step == "check" || step == "when" {
			tab.Screenshot(name + "-" + step + ".png")
		}
		if step == "check" {
			tab.WaitText("window.jpg")
			// Filled in faster than a person can, it must wait, and nothing is lost.
			tab.Until("be sent", `(() => {
			  if (location.pathname === '/report/sent') return true;
			  const b = document.getElementById('send');
			  if (b && document.readyState === 'complete' && Date.now() - (window.sentAt ?? 0) > 3500) { window.sentAt = Date.now(); b.click(); }
			  return false; })()`)
			last = "/report/sent"
			break
		}
		tab.Evaluate(fillPage, nil)
	}
	tab.WaitText("Report received")
	axe(t, tab, name+"-sent", scripts)
	tab.Screenshot(name + "-sent.png")
	tab.Evaluate(`document.querySelector('.reference').textContent`, &reference)
	tab.Evaluate(`document.querySelector('.secret-word').textContent`, &secret)
	return reference, secret
}

func TestAWebReportWithAPhotographWithAndWithoutScripts(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	browser := harness.Chromium(t, 0)
	for _, scripts := range []bool{true, false} {
		name := fmt.Sprintf("web-scripts-%t", scripts)
		tab := browser.Open(name, s.URL+"/report")
		tab.NoScript(!scripts)
		tab.Go(s.URL + "/report")
		axe(t, tab, name+"-start", scripts)
		tab.Screenshot(name + "-start.png")
		reference, secret := reportOnTheWeb(t, tab, name, scripts)
		tab.Go(s.URL + "/track")
		axe(t, tab, name+"-track", scripts)
		// The report is filed a moment after it was accepted.
		tab.Until("open the report", fmt.Sprintf(`(() => { if (location.pathname === '/track/report') return true; const f = document.querySelector('main form'); if (!f || window.tried || document.readyState !== 'complete') return false; window.tried = true; f.reference.value = %q; f.secret.value = %q; f.querySelector('button').click(); return false; })()`, reference, secret))
		tab.WaitText(reference)
		axe(t, tab, name+"-follow", scripts)
		tab.Screenshot(name + "-follow.png")
	}
}
