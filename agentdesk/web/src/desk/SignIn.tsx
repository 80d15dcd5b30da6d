import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ApiError } from '../api.ts';
import { Button } from '../ui/Button.tsx';
import { describedBy, Field } from '../ui/Field.tsx';
import { Wordmark } from '../ui/Wordmark.tsx';
import { sentence, type Desk } from './model.ts';

interface Problem {
  field: string;
  text: string;
}

/** Errors on top of a form, as links to the fields. */
function Summary({ problems }: { problems: Problem[] }): JSX.Element | null {
  if (!problems.length) return null;
  return (
    <div class="govuk-error-summary" role="alert">
      <h2 class="govuk-error-summary__title">There is a problem</h2>
      <div class="govuk-error-summary__body">
        <ul class="govuk-list govuk-error-summary__list">
          {problems.map((p) => <li key={p.field + p.text}>{p.field ? <a href={`#${p.field}`}>{p.text}</a> : <span>{p.text}</span>}</li>)}
        </ul>
      </div>
    </div>
  );
}

function problemOf(e: unknown, map: Record<string, string>, fallback: string): Problem {
  const field = e instanceof ApiError ? map[e.field] ?? (e.status === 401 ? fallback : '') : '';
  return { field, text: sentence(e) };
}

/** Sign-in with user name and password. */
export function SignIn({ desk, message }: { desk: Desk; message?: string | undefined }): JSX.Element {
  const [problems, setProblems] = useState<Problem[]>([]);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const user = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    const found: Problem[] = [];
    if (!user.current?.value.trim()) found.push({ field: 'user', text: 'Enter your user name' });
    if (!password.current?.value) found.push({ field: 'password', text: 'Enter your password' });
    setProblems(found);
    if (found.length) {
      (found[0]?.field === 'user' ? user : password).current?.focus();
      return;
    }
    setBusy(true);
    try {
      await desk.signOn(user.current?.value ?? '', password.current?.value ?? '');
    } catch (err) {
      setProblems([problemOf(err, { user: 'user', password: 'password' }, 'password')]);
      password.current?.focus();
      password.current?.select();
    } finally {
      setBusy(false);
    }
  };
  const of = (field: string) => problems.find((p) => p.field === field)?.text;
  return (
    <main class="app-gate" id="main">
      <div class="app-gate__card">
        <Wordmark of="Handlers’ desk" />
        <h1 class="govuk-heading-l">Sign in</h1>
        {message && <p class="app-gate__message" role="status">{message}</p>}
        <Summary problems={problems} />
        <form onSubmit={submit} noValidate>
          <Field id="user" label="User name" error={of('user')}>
            <input ref={user} class={`govuk-input${of('user') ? ' govuk-input--error' : ''}`} id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus aria-describedby={describedBy('user', false, !!of('user'))} />
          </Field>
          <Field id="password" label="Password" error={of('password')}>
            <div class="app-password">
              <input ref={password} class={`govuk-input${of('password') ? ' govuk-input--error' : ''}`} id="password" name="password" type={(shown ? 'text' : 'password') as 'password'} autocomplete="current-password" spellcheck={false} aria-describedby={describedBy('password', false, !!of('password'))} />
              <Button onClick={() => setShown(!shown)} label={shown ? 'Hide password' : 'Show password'}>{shown ? 'Hide' : 'Show'}</Button>
            </div>
          </Field>
          <Button type="submit" kind="primary" busy={busy}>{busy ? 'Signing in…' : 'Sign in'}</Button>
        </form>
        <p class="app-gate__foot">No sign-on, or it does not work? Ask a manager to add or reset it.</p>
      </div>
    </main>
  );
}

/** Choosing a password of one's own after a one-time one. */
export function NewPassword({ desk, name, user }: { desk: Desk; name: string; user: string }): JSX.Element {
  const [problems, setProblems] = useState<Problem[]>([]);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || !form.current) return;
    const values = new FormData(form.current);
    const value = (k: string) => String(values.get(k) ?? '');
    const found: Problem[] = [];
    if (!value('current')) found.push({ field: 'current', text: 'Enter the one-time password' });
    if (value('new').length < 10) found.push({ field: 'new', text: 'The new password must have at least 10 characters' });
    else if (value('new') === value('current')) found.push({ field: 'new', text: 'The new password must differ from the one-time password' });
    if (value('again') !== value('new')) found.push({ field: 'again', text: 'The two new passwords must be the same' });
    setProblems(found);
    if (found[0]) {
      form.current.querySelector<HTMLInputElement>(`#${found[0].field}`)?.focus();
      return;
    }
    setBusy(true);
    try {
      await desk.changePassword(value('current'), value('new'));
    } catch (err) {
      setProblems([problemOf(err, { current: 'current', new: 'new', password: 'new' }, 'current')]);
    } finally {
      setBusy(false);
    }
  };
  const field = (id: string, label: string, autocomplete: string, hint?: string) => {
    const error = problems.find((p) => p.field === id)?.text;
    return (
      <Field id={id} label={label} error={error} {...(hint ? { hint } : {})}>
        <input class={`govuk-input${error ? ' govuk-input--error' : ''}`} id={id} name={id} type="password" autocomplete={autocomplete as 'new-password'} autofocus={id === 'current'} aria-describedby={describedBy(id, !!hint, !!error)} />
      </Field>
    );
  };
  return (
    <main class="app-gate" id="main">
      <div class="app-gate__card">
        <Wordmark of="Handlers’ desk" />
        <h1 class="govuk-heading-l">Choose your password</h1>
        <p class="app-gate__message">Welcome, {name}. The password you were given works once. Choose one only you know.</p>
        <Summary problems={problems} />
        <form ref={form} onSubmit={submit} noValidate>
          <input hidden readOnly name="user" autocomplete="username" value={user} />
          {field('current', 'One-time password', 'current-password')}
          {field('new', 'New password', 'new-password', 'At least 10 characters. Three random words are easy to remember and hard to guess.')}
          {field('again', 'New password again', 'new-password')}
          <div class="govuk-button-group">
            <Button type="submit" kind="primary" busy={busy}>{busy ? 'Saving…' : 'Save and open the desk'}</Button>
            <Button kind="quiet" onClick={() => void desk.signOff()}>Sign off</Button>
          </div>
        </form>
      </div>
    </main>
  );
}
