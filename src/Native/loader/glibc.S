// Symbols of glibc in the versions that glibc 2.28 (2018) has. A linker on a newer system takes the newest version of each symbol, and
// the library would then refuse to load on an older one. The functions are the same ones. src/Native/build links every object with
// --wrap for each symbol in this list, and fails where a newer symbol is left.
#if defined(__x86_64__)

.macro OLD name version
    .section .text.__wrap_\name, "ax", @progbits
    .globl __wrap_\name
    .hidden __wrap_\name
    .type __wrap_\name, @function
__wrap_\name:
    endbr64
    jmp old_\name@PLT
    .size __wrap_\name, . - __wrap_\name
    .symver old_\name, \name@GLIBC_\version
.endm

OLD exp 2.2.5
OLD log 2.2.5
OLD pow 2.2.5
OLD dladdr 2.2.5
OLD dlclose 2.2.5
OLD dlerror 2.2.5
OLD dlopen 2.2.5
OLD dlsym 2.2.5
OLD pthread_attr_getstack 2.2.5
OLD pthread_attr_setstacksize 2.2.5
OLD pthread_condattr_setclock 2.3.3
OLD pthread_create 2.2.5
OLD pthread_getattr_np 2.2.5
OLD pthread_key_create 2.2.5
OLD pthread_kill 2.2.5
OLD pthread_mutexattr_destroy 2.2.5
OLD pthread_mutexattr_init 2.2.5
OLD pthread_mutexattr_settype 2.2.5
OLD pthread_once 2.2.5
OLD pthread_rwlock_rdlock 2.2.5
OLD pthread_rwlock_unlock 2.2.5
OLD pthread_rwlock_wrlock 2.2.5
OLD pthread_setname_np 2.12
OLD pthread_setspecific 2.2.5
OLD pthread_sigmask 2.2.5

#endif
.section .note.GNU-stack, "", %progbits
