package main

import (
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"
)

func (s *server) subscribe(room string) (chan []byte, func()) {
	inbox := make(chan []byte, 64)
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.streams[room] == nil {
		s.streams[room] = map[chan []byte]bool{}
	}
	s.streams[room][inbox] = true
	return inbox, func() { s.lock.Lock(); delete(s.streams[room], inbox); s.lock.Unlock() }
}

func (s *server) publish(room string, text []byte) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for inbox := range s.streams[room] {
		inbox <- text
	}
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	inbox, leave := s.subscribe(r.PathValue("id"))
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, ": ok\n\n")
	flusher := w.(http.Flusher)
	for flusher.Flush(); ; flusher.Flush() {
		select {
		case text := <-inbox:
			fmt.Fprintf(w, "data: %s\n\n", text)
		case <-r.Context().Done():
			return nil
		}
	}
}

var upgrader = websocket.Upgrader{}

func (s *server) ws(w http.ResponseWriter, r *http.Request) error {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // the upgrader has answered
	}
	defer socket.Close()
	inbox, leave := s.subscribe(r.PathValue("id"))
	defer leave()
	gone := make(chan bool)
	go func() {
		defer close(gone)
		for _, _, err := socket.ReadMessage(); err == nil; _, _, err = socket.ReadMessage() {
		}
	}()
	for {
		select {
		case text := <-inbox:
			if socket.WriteMessage(websocket.TextMessage, text) != nil {
				return nil
			}
		case <-gone:
			return nil
		}
	}
}
