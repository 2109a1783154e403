package platform

import (
	"sync"
	"time"
)

// hiddenGroups records when groups were first found to be hidden from the caller.
type hiddenGroups struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// since returns how long a group has been hidden.
func (h *hiddenGroups) since(groupID string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		h.first = map[string]time.Time{}
	}
	first, ok := h.first[groupID]
	if !ok {
		first = now
		h.first[groupID] = now
	}
	return now.Sub(first)
}
