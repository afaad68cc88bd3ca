# wt_add_plugin(KIND NAME SOURCES file... [LIBRARIES target...] [NO_INSTALL])
#
# Builds KIND-NAME.so: one exported symbol, nothing resolved from the
# executable, found by `wtcore` in the build tree (build/<preset>/lib/...)
# and, once installed, in the plugin directory.

set(WT_PLUGIN_DIR_INSTALL ${CMAKE_INSTALL_FULL_LIBDIR}/whispertunnel)
set(WT_PLUGIN_DIR_BUILD ${CMAKE_BINARY_DIR}/plugins/lib)

function(wt_add_plugin kind name)
  cmake_parse_arguments(ARG "NO_INSTALL" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES" ${ARGN})
  set(target ${kind}-${name})
  add_library(${target} MODULE ${ARG_SOURCES})
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY ${WT_PLUGIN_DIR_BUILD})
  endif()
  set_target_properties(${target} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${ARG_OUTPUT_DIRECTORY})
  target_link_libraries(${target} PRIVATE wt_sdk wt_flags ${ARG_LIBRARIES})
  if(NOT WT_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/whispertunnel)
  endif()
endfunction()
