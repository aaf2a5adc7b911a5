// A function that headers of GCC 11 call and the C++ library of GCC 8 lacks.
#include <new>

namespace std {
[[noreturn]] void __throw_bad_array_new_length();
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std
