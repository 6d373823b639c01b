// The platform's `queueMicrotask` makes a native function of each closure it is
// given, which costs more than most of what is done then. A promise that has
// settled does the same for less. The build puts this in the other's place.

const settled = Promise.resolve();

export function queueMicrotask(step) {
  settled.then(step);
}
