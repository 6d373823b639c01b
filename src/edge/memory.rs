//! What happens when the instance's memory is at its end. The standard library
//! would abort, and an abort ends every call of the instance, with nothing said
//! to anybody. Here the call whose allocation failed ends alone, as by a panic:
//! it is answered with 500, has its row, and what it held is free again.
//!
//! The build gives the instance less memory than the platform does
//! (`tools/build.mjs`), so that the end is met here and not there, where the
//! whole isolate is thrown away.

/// Ends a call whose allocation fails, and no other.
#[cfg(panic = "unwind")]
pub fn end_calls_alone() {
    std::alloc::set_alloc_error_hook(|layout| {
        std::panic::panic_any(Exhausted {
            bytes: layout.size(),
        });
    });
}

/// A build without unwinding cannot: tests of single functions.
#[cfg(not(panic = "unwind"))]
pub fn end_calls_alone() {}

/// No memory was left for so many bytes.
#[cfg(panic = "unwind")]
#[derive(Debug)]
struct Exhausted {
    #[allow(dead_code)]
    bytes: usize,
}
