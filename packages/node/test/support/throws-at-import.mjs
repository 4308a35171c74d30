// A module that throws at import what cannot be sent to another node.

throw () => 'a function'
