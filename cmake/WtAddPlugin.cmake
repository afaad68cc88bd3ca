# For the build of this tree, and installed as a part of the CMake package WhisperTunnel.
#
# wt_add_plugin(KIND NAME SOURCES file... [LIBRARIES target...]
#               [OUTPUT_DIRECTORY dir] [NO_INSTALL])
#
# Builds KIND-NAME.so: one exported symbol, nothing resolved from the executable. `cmake --install`
# puts it into WT_PLUGIN_INSTALL_DIR.
function(wt_add_plugin kind name)
  cmake_parse_arguments(ARG "NO_INSTALL" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES" ${ARGN})
  set(target ${kind}-${name})
  add_library(${target} MODULE ${ARG_SOURCES})
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY ${WT_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  set_target_properties(${target} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  if(ARG_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${ARG_OUTPUT_DIRECTORY})
  endif()
  target_link_libraries(${target} PRIVATE WhisperTunnel::SDK ${ARG_LIBRARIES})
  if(NOT WT_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  endif()
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${target} LIBRARY DESTINATION ${WT_PLUGIN_INSTALL_DIR})
  endif()
endfunction()
