package emulator

// TB is the part of testing.TB that ForTest uses: programs do not import testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// ForTest starts an emulator and closes it when the test ends.
func ForTest(t TB, o Options) *Emulator {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatalf("emulator: %v", err)
	}
	if err := e.Start(); err != nil {
		t.Fatalf("emulator: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Fatalf("closing the emulator: %v", err)
		}
	})
	return e
}
