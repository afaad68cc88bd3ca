# One place for language level, warnings, hardening and sanitizers.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C CXX)

add_library(wt_flags INTERFACE)
target_compile_definitions(wt_flags INTERFACE _GNU_SOURCE)
target_compile_options(wt_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wundef -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>
  -fno-strict-aliasing -fno-common
  -fstack-protector-strong)
if(WT_WERROR)
  target_compile_options(wt_flags INTERFACE -Werror)
endif()

include(CheckCCompilerFlag)
check_c_compiler_flag(-fstack-clash-protection WT_HAVE_STACK_CLASH)
if(WT_HAVE_STACK_CLASH)
  target_compile_options(wt_flags INTERFACE -fstack-clash-protection)
endif()
check_c_compiler_flag(-fcf-protection WT_HAVE_CF_PROTECTION)
if(WT_HAVE_CF_PROTECTION)
  target_compile_options(wt_flags INTERFACE -fcf-protection)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT WT_SANITIZE)
  target_compile_options(wt_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
target_link_options(wt_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)

if(WT_SANITIZE)
  target_compile_options(wt_flags INTERFACE
    -fsanitize=${WT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(wt_flags INTERFACE -fsanitize=${WT_SANITIZE})
endif()
if(WT_COVERAGE)
  target_compile_options(wt_flags INTERFACE --coverage)
  target_link_options(wt_flags INTERFACE --coverage)
endif()
