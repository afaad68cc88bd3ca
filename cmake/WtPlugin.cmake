# Plugins of this tree: built into one folder, where the tests take them from, and once installed in
# the plugin directory.
include(WtAddPlugin)

set(WT_PLUGIN_DIR_INSTALL ${CMAKE_INSTALL_FULL_LIBDIR}/whispertunnel)
set(WT_PLUGIN_DIR_BUILD ${CMAKE_BINARY_DIR}/plugins/lib)
set(WT_PLUGIN_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/whispertunnel)
set(WT_PLUGIN_OUTPUT_DIRECTORY ${WT_PLUGIN_DIR_BUILD})

# Ways within an installation, which are the same wherever it is moved to; "" if one end is below
# the prefix and the other has a fixed place.
function(wt_way out from to)
  set(way "")
  if((IS_ABSOLUTE "${CMAKE_INSTALL_${from}}" AND IS_ABSOLUTE "${CMAKE_INSTALL_${to}}") OR
     NOT (IS_ABSOLUTE "${CMAKE_INSTALL_${from}}" OR IS_ABSOLUTE "${CMAKE_INSTALL_${to}}"))
    file(RELATIVE_PATH way "${CMAKE_INSTALL_FULL_${from}}" "${CMAKE_INSTALL_FULL_${to}}")
    string(APPEND way ${ARGN})
  endif()
  set(${out} "${way}" PARENT_SCOPE)
endfunction()
wt_way(WT_PLUGINS_FROM_BIN BINDIR LIBDIR /whispertunnel)
wt_way(WT_PLUGINS_FROM_SBIN SBINDIR LIBDIR /whispertunnel)
wt_way(WT_SBIN_FROM_BIN BINDIR SBINDIR)
