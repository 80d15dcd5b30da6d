package email

// CrashAt makes the worker end at a step, as a kill would.
func (w *Worker) CrashAt(step string, err error) {
	w.step = func(at string) error {
		if at == step {
			return err
		}
		return nil
	}
}

// CrashAt makes the outbox end at a step, as a kill would.
func (b *Outbox) CrashAt(step string, err error) {
	b.step = func(at string) error {
		if at == step {
			return err
		}
		return nil
	}
}
